//! Drawing for people: diagnostics, figures, tables, progress.
