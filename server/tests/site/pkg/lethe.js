// Stands for the compiled assets where a test serves pages.
