"""The science, by the groups of the assets: pictures, tables and numbers from images and cells.

Takes and gives numpy, pandas, AnnData and matplotlib figures; knows neither Dagster nor LaminDB.
Not here: what a study is (``config``), and where fields of view are worked on (``compute``).
"""
