"""Lets torchvision be imported beside a torch that was built for another device."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

_OPERATORS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_declared: list[Any] = []  # torch forgets a library's operators when the library is collected


def mend_torchvision() -> bool:
    """Declare the operators that torchvision describes on import, where its binary lacks them.

    torchvision from PyPI is built for CUDA; beside a CPU-only torch its compiled part does not
    load, and ``import torchvision`` dies with ``operator torchvision::nms does not exist``, which
    takes open_clip, timm, transformers' CLIP and diffusers' pipelines with it. Nothing here calls
    these operators. Call this before any of them is imported.

    Returns:
        Whether anything had to be declared; False on a healthy install or where there is neither
        torch nor torchvision.
    """
    if _declared or find_spec("torch") is None or find_spec("torchvision") is None:
        return False
    torch: Any = import_module("torch")
    try:
        import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
    else:
        return False
    library = torch.library.Library("torchvision", "FRAGMENT")
    for operator in _OPERATORS:
        library.define(operator)
    _declared.append(library)
    import_module("torchvision")
    return True
