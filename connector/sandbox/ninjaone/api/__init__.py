"""The published operations as endpoints: types, pages, filters, collections."""
