#!/usr/bin/env python3
"""Idle and slow connections beside good requests: connections.py SLIPWAY [IDLE [SLOW]] (10000 and 1000 when not given)

Idle connections send nothing; of the slow ones a third sends a header byte by byte, a third a body, and a third asks for
many answers and reads none. Good requests are timed before them, beside them and after them. Fails when a good request is
refused, when a slow connection is not ended, or when the server does not get rid of them; it judges no time.
"""
import asyncio, pathlib, statistics, sys, tempfile, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from served import Failed, Server, make_model, raise_file_limit

GOOD = 300
BODY = b'{"inputs": "good movie"}'
REQUEST = b"POST /v1/classify HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
HEADER_MS, BODY_MS, IDLE_MS, WRITE_MS = 3000, 3000, 600_000, 3000
SPARE_FILES = 200


async def good_requests(port, count=GOOD):
    """Seconds of each of `count` requests over one kept connection; a new connection each tenth."""
    times, writer = [], None
    for i in range(count):
        if i % 10 == 0:
            if writer:
                writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        start = time.perf_counter()
        writer.write(REQUEST)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
        if not head.startswith(b"HTTP/1.1 200"):
            raise Failed(f"a good request was answered {head[:100]}")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        await asyncio.wait_for(reader.readexactly(length), 30)
        times.append(time.perf_counter() - start)
    writer.close()
    return times


def tell(name, times):
    ordered = sorted(times)
    print(f"{name:<28} {len(times)} good requests: p50 {1000 * statistics.median(ordered):.2f} ms, "
          f"p99 {1000 * ordered[int(0.99 * (len(ordered) - 1))]:.2f} ms", flush=True)


async def slow_sender(port, first, rest, step):
    """Sends `rest` a byte each `step` seconds until the server ends it; what it said."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = asyncio.create_task(reader.readline())
    try:
        writer.write(first)
        for byte in rest:
            await asyncio.wait([answer], timeout=step)
            if answer.done():
                break
            writer.write(bytes([byte]))
        return await asyncio.wait_for(answer, 60) or b"closed"
    except (OSError, asyncio.TimeoutError) as error:
        return repr(error).encode()
    finally:
        writer.close()


async def slow_reader(port, idle):
    """Pipelines requests and reads no answer, until the server gives up on it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
    writer.transport.pause_reading()
    try:
        while True:
            writer.write(REQUEST * 50)
            await asyncio.wait_for(writer.drain(), idle)
    except asyncio.TimeoutError:
        return b"stuck"
    except OSError:
        return b"closed"
    finally:
        writer.transport.abort()


async def open_idle(port, count):
    held = []
    for begin in range(0, count, 100):
        held += await asyncio.gather(*(asyncio.open_connection("127.0.0.1", port) for _ in range(min(100, count - begin))))
    return held


async def trial(server, idle, slow):
    await good_requests(server.port, 50)  # warm
    base_files, base_memory = server.open_files(), server.resident_kib()
    tell("alone", await good_requests(server.port))
    held = await open_idle(server.port, idle)
    print(f"{idle} idle connections: {server.open_files() - base_files} descriptors, "
          f"{(server.resident_kib() - base_memory) / max(1, idle):.1f} KiB each", flush=True)
    tell("beside the idle ones", await good_requests(server.port))
    header, body = b"POST /v1/classify HTTP/1.1\r\nHost: h\r\n", REQUEST[:-len(BODY)]
    third = max(1, slow // 3)
    tasks = [asyncio.create_task(slow_sender(server.port, header, b"X-Slow: " + b"a" * 1000, 0.2)) for _ in range(third)]
    tasks += [asyncio.create_task(slow_sender(server.port, body, b" " * 1000, 0.2)) for _ in range(third)]
    readers = [asyncio.create_task(slow_reader(server.port, 2 * WRITE_MS / 1000)) for _ in range(slow - 2 * third)]
    tell("beside idle and slow ones", await good_requests(server.port))
    ends = await asyncio.gather(*tasks)
    refused = sum(b" 408 " in end for end in ends)
    if refused != len(ends):
        raise Failed(f"of {len(ends)} slow senders {refused} were answered 408; another got {next(e for e in ends if b' 408 ' not in e)[:100]}")
    await asyncio.gather(*readers)
    if any(reader.at_eof() for reader, _ in held):
        raise Failed("an idle connection was closed before its time")
    tell("after the slow ones", await good_requests(server.port))
    for _, writer in held:
        writer.close()
    for _ in range(200):
        if server.open_files() <= base_files + 5:
            break
        await asyncio.sleep(0.05)
    else:
        raise Failed(f"{server.open_files() - base_files} descriptors are still open after all have gone")
    tell("after all have gone", await good_requests(server.port))
    print(f"{len(ends)} slow senders were answered 408; {len(readers)} readers that did not read were dropped", flush=True)


def main():
    slipway = str(pathlib.Path(sys.argv[1]).resolve())
    idle = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    slow = int(sys.argv[3]) if len(sys.argv) > 3 else 1_000
    allowed = raise_file_limit(idle + slow + SPARE_FILES)
    if allowed < idle + slow + SPARE_FILES:
        idle = allowed - slow - SPARE_FILES
        print(f"this machine allows {allowed} descriptors: {idle} idle connections", flush=True)
    with tempfile.TemporaryDirectory(prefix="slipway-connections-") as folder:
        model = make_model("encoder", pathlib.Path(folder) / "model")
        server = Server(slipway, model, "--max-connections", str(idle + slow + 100), "--header-timeout-ms", str(HEADER_MS),
                        "--body-timeout-ms", str(BODY_MS), "--idle-timeout-ms", str(IDLE_MS), "--write-timeout-ms", str(WRITE_MS),
                        folder=folder)
        try:
            asyncio.run(trial(server, idle, slow))
        finally:
            server.stop()


try:
    main()
except Failed as failure:
    sys.exit(f"FAILED: {failure}")
