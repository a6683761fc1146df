"""The command line: a module for each command, and what they print.

Here belong arguments and words; what is done stands in the modules that the commands call, which
are imported inside the commands so that help is there at once.
"""
