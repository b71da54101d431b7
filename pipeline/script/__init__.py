"""Scripts: what a writer hands in, its lints, and the storyboard that is drafted from it."""
