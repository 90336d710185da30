"""Usage that another system has summed already: rows of counts, each taken once."""
