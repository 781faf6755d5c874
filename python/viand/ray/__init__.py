"""The engine on a Ray cluster: what speaks with Ray for it (docs/formats/ray.md), and what runs in Ray's workers.

`python -m viand.ray` is started by the program viand with `--executor ray`; in a Python program a thread does the same.
Nothing here touches data: Python holds references, the engine works in Ray's tasks.
"""
