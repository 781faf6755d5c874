"""A real S3 server for the tests: MinIO, on a loopback port and with credentials of its own. `./dev test --long` builds it
from its Go module at the version of versions.txt."""

import hashlib
import hmac
import os
import secrets
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from datetime import datetime, timezone
from pathlib import Path

from pyarrow import fs

PROGRAM = Path(os.environ.get("VIAND_MINIO", Path(__file__).resolve().parents[2] / "build" / "tools" / "minio"))
REGION = "us-east-1"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class MinioServer:
    def __init__(self, folder):
        assert PROGRAM.exists(), f"there is no {PROGRAM}: ./dev test --long builds it"
        self.folder = folder
        self.port = free_port()
        self.user = "user" + secrets.token_hex(8)
        self.secret = secrets.token_hex(20)
        self.process = None

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    @property
    def endpoint(self):
        return f"http://{self.address}"

    @property
    def variables(self):
        """What a user sets to reach it."""
        return {"AWS_ACCESS_KEY_ID": self.user, "AWS_SECRET_ACCESS_KEY": self.secret,
                "AWS_ENDPOINT_URL": self.endpoint, "AWS_REGION": REGION}

    def start(self):
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "MINIO_ROOT_USER": self.user,
                       "MINIO_ROOT_PASSWORD": self.secret, "MINIO_BROWSER": "off", "MINIO_UPDATE": "off"}
        (self.folder / "data").mkdir(exist_ok=True)
        with open(self.folder / "minio.log", "ab") as log:
            self.process = subprocess.Popen([PROGRAM, "server", "--quiet", "--address", self.address,
                                             self.folder / "data"], env=environment, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while not self.is_ready():
            assert self.process.poll() is None and time.monotonic() < deadline, (self.folder / "minio.log").read_text()
            time.sleep(0.05)

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"{self.endpoint}/minio/health/ready", timeout=1) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def stop(self):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process = None

    def client(self):
        return fs.S3FileSystem(access_key=self.user, secret_key=self.secret, endpoint_override=self.address,
                               scheme="http", region=REGION, allow_bucket_creation=True)

    def make_public(self, bucket):
        """Lets everybody list and read a bucket: a request signed as Amazon's version 4 has it."""
        policy = ('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["*"]},"Action":'
                  f'["s3:GetObject","s3:ListBucket","s3:GetBucketLocation"],"Resource":["arn:aws:s3:::{bucket}",'
                  f'"arn:aws:s3:::{bucket}/*"]}}]}}').encode()
        now = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        scope = f"{now[:8]}/{REGION}/s3/aws4_request"
        body = hashlib.sha256(policy).hexdigest()
        signed = {"host": self.address, "x-amz-content-sha256": body, "x-amz-date": now}
        names = ";".join(signed)
        request = "\n".join(["PUT", f"/{bucket}", "policy=", *(f"{k}:{v}" for k, v in signed.items()), "", names, body])
        text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(request.encode()).hexdigest()])
        key = ("AWS4" + self.secret).encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        authorization = (f"AWS4-HMAC-SHA256 Credential={self.user}/{scope}, SignedHeaders={names}, "
                         f"Signature={signature}")
        urllib.request.urlopen(urllib.request.Request(
            f"{self.endpoint}/{bucket}?policy=", data=policy, method="PUT",
            headers={**signed, "Authorization": authorization})).close()
