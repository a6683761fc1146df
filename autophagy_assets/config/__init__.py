"""What a study is and where things are kept: study file, home, settings from the environment.

Here belongs what is read before anything is done. Not here: anything that is recorded
(``registry``).
"""
