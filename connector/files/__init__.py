"""Row readers, envelope output, and the journal that makes a run resumable."""
