"""Private parts of other libraries: still there, each used in one module, and in docs/design.md.

When a test here fails after an upgrade, its message names the module that has to follow. A part
that is used newly gets a row in the table of the docs, and a test.
"""
