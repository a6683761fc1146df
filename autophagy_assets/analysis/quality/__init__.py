"""What an asset check finds: each finding a sentence, numbers and, where it helps, a table.

Not here: when a check runs and what it blocks (``checks``).
"""
