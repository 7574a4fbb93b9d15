"""The engine room: from bytes on 63 sockets to one truth about 315 zones.

Plain asyncio and aiohttp. Nothing in here may import Home Assistant, so that
the whole chain runs in tests, benchmarks and `python -m sim check` without it.
"""
