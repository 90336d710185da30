"""What analysts see: which files a version of the lake holds, and what may be asked of it.

Public nouns: LakeTable (tables), Version and VersionFile (version), Sources (sources), QueryLimits
(query) and QueryResult (result).
"""
