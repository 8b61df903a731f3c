"""A Gradio app that draws samples of generator.onnx; it needs no zerosum and no PyTorch."""

import json
from pathlib import Path

import gradio
import numpy as np
import onnxruntime

HERE = Path(__file__).parent
ABOUT = json.loads((HERE / "config.json").read_text())
SESSION = onnxruntime.InferenceSession(HERE / "generator.onnx")
CLASSES = list(ABOUT["classes"])


def draw(seed, count, name="all", truncation=0):
    """Draw `count` samples as a list of pictures; a `truncation` of 0 is none."""
    count, random = int(count), np.random.default_rng(int(seed))
    uniform, bound = ABOUT["prior"] == "uniform", 3**0.5
    size = (count, ABOUT["latent"])
    latents = random.uniform(-bound, bound, size) if uniform else random.standard_normal(size)
    if truncation and uniform:
        latents *= min(truncation, 1)
    while truncation and not uniform and (beyond := np.abs(latents) > truncation).any():
        latents[beyond] = random.standard_normal(beyond.sum())
    feeds = {"latents": latents.astype(np.float32)}
    if CLASSES:
        seen = np.array(list(ABOUT["classes"].values()), float)
        drawn = random.choice(len(CLASSES), count, p=seen / seen.sum())
        feeds["classes"] = drawn.astype(np.int64) if name == "all" else np.full(count, CLASSES.index(name), np.int64)
    for each in SESSION.get_inputs():
        if each.name == "noise":
            feeds["noise"] = random.random((count, each.shape[1]), np.float32)
    (samples,) = SESSION.run(["samples"], feeds)
    shown = ABOUT["shown"] or range(samples.shape[1] if samples.shape[1] in (1, 3, 4) else min(3, samples.shape[1]))
    pictures = samples[:, list(shown)].transpose(0, 2, 3, 1)
    pictures = pictures if pictures.shape[3] >= 3 else pictures[..., :1].repeat(3, axis=3)
    factor = max(1, -(-128 // min(pictures.shape[1:3])))
    return list(pictures.repeat(factor, axis=1).repeat(factor, axis=2))


with gradio.Blocks(title="A generator") as app:
    with gradio.Row():
        inputs = [
            gradio.Number(0, label="Seed", precision=0, minimum=0),
            gradio.Slider(1, 64, 16, step=1, label="Samples"),
            gradio.Dropdown(["all", *CLASSES], value="all", label="Class", visible=bool(CLASSES)),
            gradio.Slider(0, 3, 0, step=0.1, label="Truncation (0 is none)"),
        ]
    gallery = gradio.Gallery(label="Generated", columns=4)
    gradio.Button("Draw").click(draw, inputs, gallery)
    app.load(draw, inputs, gallery)

if __name__ == "__main__":
    app.launch()
