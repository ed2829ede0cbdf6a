"""Writes imagenet.json: the 1,000 classes of ImageNet in the order of Keras's outputs.

    python make_labels.py [--index imagenet_class_index.json]

Without --index, Keras's own index is downloaded; its md5 is checked either way. The result has one line per
class, [WordNet id, name]: [["n01440764","tench"], ...].
"""
import argparse
import hashlib
import json
import urllib.request
from pathlib import Path

URL = "https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json"
MD5 = "c2c37ea517e94d9795004a39431a14cb"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--index", type=Path, help="a copy of the index; downloaded where absent")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("imagenet.json"))
    arguments = parser.parse_args()

    index = arguments.index.read_bytes() if arguments.index else urllib.request.urlopen(URL).read()
    md5 = hashlib.md5(index).hexdigest()
    if md5 != MD5:
        parser.error(f"the index has md5 {md5}, Keras's has {MD5}")
    classes = json.loads(index)
    rows = [json.dumps(classes[str(i)], separators=(",", ":")) for i in range(1000)]
    arguments.out.write_text("[" + ",\n".join(rows) + "]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
