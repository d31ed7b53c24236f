"""openssl s_server, for the time of a `with`."""

import re
import subprocess


class SServer:
    """Answers GET /file with a file of the folder, or, with web=False, with
    what the test says()."""

    def __init__(self, folder, *args, web=True):
        self.process = subprocess.Popen(
            ["openssl", "s_server", "-accept", "127.0.0.1:0",
             *(["-WWW"] if web else []), *map(str, args)],
            cwd=folder, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.wait(r"ACCEPT 127\.0\.0\.1:(\d+)")
        self.port = int(self.found.group(1))

    def wait(self, pattern):
        """Reads what it prints until a line matches."""
        said = ""
        for line in self.process.stdout:
            said += line
            self.found = re.search(pattern, line)
            if self.found:
                return said
        raise RuntimeError(f"openssl s_server never said {pattern}:\n{said}")

    def says(self, text):
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def url(self, name="fw.bin", host="localhost"):
        return f"https://{host}:{self.port}/{name}"

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.process.stdin.close()
        self.process.kill()
        self.process.stdout.close()
        self.process.wait(timeout=10)
