"""Reviews in LaminDB: pages, and the answers of people."""
