"""GStreamer's webrtcbin as a WHIP publisher: `python3 gstreamer_publisher.py URL SECONDS`, with Debian's interpreter.

Prints a line for each state. Its ICE library sends no further connectivity checks once it is connected.
"""

import sys
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

PIPELINE = """
webrtcbin name=peer bundle-policy=max-bundle
videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=15/1 ! vp8enc deadline=1
 keyframe-max-dist=15 ! rtpvp8pay mtu=1200 ! application/x-rtp,media=video,encoding-name=VP8,payload=96 ! peer.
audiotestsrc is-live=true wave=ticks ! audioconvert ! audioresample ! opusenc ! rtpopuspay
 ! application/x-rtp,media=audio,encoding-name=OPUS,payload=97 ! peer.
"""


class Publisher:
    def __init__(self, url):
        self.url, self.loop, self.failure = url, GLib.MainLoop(), None
        self.pipeline = Gst.parse_launch(PIPELINE)
        self.peer = self.pipeline.get_by_name("peer")
        self.peer.connect("notify::ice-gathering-state", self.gathered)
        self.peer.connect("notify::connection-state", self.changed)
        self.is_offered = False

    def negotiate(self):
        # An offer needs the formats of both streams, which are known once their first packets have come.
        pads = [pad for pad in self.peer.sinkpads if pad.get_current_caps()]
        if len(pads) < 2:
            return True
        for index in range(2):
            transceiver = self.peer.emit("get-transceiver", index)
            transceiver.set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
        self.peer.emit("create-offer", None, Gst.Promise.new_with_change_func(self.offered))
        return False

    def offered(self, promise, *_):
        # The offer lives no longer than the reply.
        reply = promise.get_reply()
        offer = reply.get_value("offer")
        self.peer.emit("set-local-description", offer, Gst.Promise.new())

    def gathered(self, *_):
        state = self.peer.get_property("ice-gathering-state")
        if state == GstWebRTC.WebRTCICEGatheringState.COMPLETE and not self.is_offered:
            self.is_offered = True
            GLib.idle_add(self.publish)

    def publish(self):
        try:
            offer = self.peer.get_property("local-description").sdp.as_text()
            request = urllib.request.Request(
                self.url, data=offer.encode(), headers={"Content-Type": "application/sdp"}, method="POST")
            with urllib.request.urlopen(request, timeout=10) as answer:
                text = answer.read()
            _, message = GstSdp.SDPMessage.new()
            GstSdp.sdp_message_parse_buffer(text, message)
            description = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
            self.peer.emit("set-remote-description", description, Gst.Promise.new())
            print("answered", flush=True)
        except Exception as failure:
            self.failure = failure
            self.loop.quit()

    def changed(self, *_):
        print("connection", self.peer.get_property("connection-state").value_nick, flush=True)

    def run(self, seconds):
        self.pipeline.set_state(Gst.State.PLAYING)
        GLib.timeout_add(100, self.negotiate)
        GLib.timeout_add(seconds * 1000, self.loop.quit)
        self.loop.run()
        self.pipeline.set_state(Gst.State.NULL)
        if self.failure:
            raise self.failure


Gst.init(None)
Publisher(sys.argv[1]).run(int(sys.argv[2]))
