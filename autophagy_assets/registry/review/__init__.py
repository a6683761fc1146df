"""What LaminDB has of reviews: the pages that were made, and the answers of people."""
