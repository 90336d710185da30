"""What the site consists of: pages of questions, as literal tables.

Public nouns: SitePage, Block, ActCommand and PageField (pages).
"""
