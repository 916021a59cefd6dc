"""What the bot knows about AI spending: pure functions and values, nothing installed but Python."""
