"""The published operations as routes: types, pages, filters, collections."""
