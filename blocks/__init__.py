"""How the bot speaks: data in, Block Kit dictionaries out. No arithmetic, no I/O; the Translator is an argument."""
