"""What a user mistypes: every line below the imports has a mistake that type checkers must find. It is checked, never run."""

import c1219
import c1222

c1222.decod_capture("trace.pcapng")
c1222.Metre("udp://127.0.0.1")
c1222.aio.conect("udp://127.0.0.1", called=".9", calling=".4")
c1219.Devise({})
c1222.decode("60")
c1222.decode(b"", key=None)
c1222.encode(b"")
c1222.connect("udp://127.0.0.1", called=".9", calling=".4").red("ST1")
c1222.connect("udp://127.0.0.1", called=".9", calling=".4", mod=2)
c1222.connect("udp://127.0.0.1", called=".9", calling=".4").logon(usr="reader")
c1219.Device.from_json(1)
c1219.Device({}).regsters()
c1219.Device({}).load_profile("LP1")
c1222.Key(id=2, octets=b"")
