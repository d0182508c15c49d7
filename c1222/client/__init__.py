"""Clients: every verb once, over the core, and two pumps that carry them out: blocking and asyncio."""
