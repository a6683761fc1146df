"""The science: numpy, pandas, AnnData and matplotlib in and out; no Dagster, no LaminDB."""
