//! The grammar for editors knows the words that the language knows.
