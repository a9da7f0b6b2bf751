"""The operations in the API document as endpoints: types, pages, filters, collections."""
