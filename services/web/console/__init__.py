"""The live console: one page on top of the public API, in English and Hebrew."""
