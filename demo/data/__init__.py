"""The data of the demo: a trace, the list prices its models stand for, and where they come from."""
