"""Onmodel's nodes for ComfyUI: put this folder, or a link to it, into ``custom_nodes``."""

from .nodes import OnmodelGate, OnmodelRetrieve

NODE_CLASS_MAPPINGS = {
    "OnmodelRetrieve": OnmodelRetrieve,
    "OnmodelQAGate": OnmodelGate,
}
NODE_DISPLAY_NAME_MAPPINGS = {
    "OnmodelRetrieve": "Onmodel Retrieve",
    "OnmodelQAGate": "Onmodel QA Gate",
}

__all__ = ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS"]
