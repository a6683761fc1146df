"""Configuration: study file, home, and settings from the environment.

Here belongs what is read before anything is done. Not here: anything that is recorded
(``registry``).
"""
