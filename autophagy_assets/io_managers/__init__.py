"""How an object becomes a file, once per format; ``base`` has the protocol of all of them."""
