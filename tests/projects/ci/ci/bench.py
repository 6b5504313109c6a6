import subprocess

subprocess.run(["cargo", "bench", "--bench", "sum"], check=True)
