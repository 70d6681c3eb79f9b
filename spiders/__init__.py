"""One file a CMS family: spiders find pages and yield captures, nothing more."""
