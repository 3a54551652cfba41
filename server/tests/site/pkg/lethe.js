// Replaces the compiled assets in tests that serve pages.
