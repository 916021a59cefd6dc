"""The stage set: a simulated Slack and a simulated OpenAI as real servers on this machine."""
