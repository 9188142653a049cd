"""The command ``skmdiff``: tables in files, models in files, and the words of the command line."""
