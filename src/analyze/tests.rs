//! Steady states against closed forms.
