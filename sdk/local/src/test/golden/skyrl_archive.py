"""An adapter packed as SkyRL's JAX backend packs one: settings as PEFT writes them without targets, the root as first member."""

import gzip
import os
import shutil
import tarfile
import tempfile
from pathlib import Path

from peft import LoraConfig

from common import GOLDEN

BASE = "llama"


def main():
    target = GOLDEN / "archives" / "skyrl.tar.gz"
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        LoraConfig(base_model_name_or_path=BASE, r=4, lora_alpha=8.0).save_pretrained(directory)
        shutil.copy(GOLDEN / "lora" / BASE / "adapter_model.safetensors", directory)
        for path in [*sorted(directory.iterdir()), directory]:
            os.utime(path, (1.5, 1.5))
            path.chmod(0o755 if path.is_dir() else 0o644)
        # The time of a member has a fraction, which puts an extended header before each.
        with target.open("wb") as f, gzip.GzipFile("", "wb", 0, f, 0) as zipped:
            with tarfile.open(fileobj=zipped, mode="w:") as tar:
                tar.add(directory, arcname="", filter=lambda m: m.replace(uid=0, gid=0, uname="root", gname="root", deep=False))
    with tarfile.open(target) as tar:
        names = [member.name for member in tar.getmembers()]
        assert names[0] == "" and tar.getmembers()[0].isdir() and len(names) == 3, names
        assert '"target_modules": null' in tar.extractfile("adapter_config.json").read().decode()


if __name__ == "__main__":
    main()
