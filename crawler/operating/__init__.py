"""What somebody needs who runs an archive for years: logs for machines, figures for alerts, a word at a run's end."""
