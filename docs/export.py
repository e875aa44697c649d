import torch
from safetensors.torch import save_file

def export(net, path, mean, std, dim, classes=0, dtype=torch.float32, time_scale=1.0, rows=8):
    """Writes net's weights with the scaling of its data and outputs that `mote import` must repeat.

    net(x, t, c): x scaled data (rows, dim), t times (rows,), c one-hot classes (rows, classes) or None.
    mean, std: one number or one for each feature, in the data's units: x = (data - mean) / std.
    """
    net = net.to(dtype).float().eval()  # rounds the weights first, so that the outputs belong to what is written
    tensors = {name: value.detach().to(dtype).contiguous() for name, value in net.state_dict().items()}
    x = torch.randn(rows, dim, generator=torch.Generator().manual_seed(0))
    t = time_scale * (torch.arange(rows) + 0.5) / rows
    label = torch.arange(rows) % (classes + 1) - 1  # -1 is no class
    c = torch.nn.functional.one_hot(label + 1, classes + 1)[:, 1:].float() if classes else None
    with torch.no_grad():
        tensors |= {"test_input": x, "test_time": t, "test_class": label, "test_output": net(x, t, c)}
    tensors |= {"data_mean": torch.as_tensor(mean).float(), "data_std": torch.as_tensor(std).float()}
    save_file(tensors, path)
