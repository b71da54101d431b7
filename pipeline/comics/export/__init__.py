"""Books: one module per format, all from lettered pages and their rendered PNGs."""

from pipeline.comics.export.book import export_book, export_formats
from pipeline.domain.page import BookFormat, BookInfo, BookPage

__all__ = ["BookFormat", "BookInfo", "BookPage", "export_book", "export_formats"]
