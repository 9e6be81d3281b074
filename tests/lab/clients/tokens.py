"""Prints tokens for HTTP@HOST, base64, one a line; each has an authenticator of its own."""

import argparse
import base64

import gssapi
from gssapi.raw import ChannelBindings

SPNEGO = gssapi.OID.from_int_seq("1.3.6.1.5.5.2")
KRB5 = gssapi.OID.from_int_seq("1.2.840.113554.1.2.2")

parser = argparse.ArgumentParser()
parser.add_argument("host")
parser.add_argument("count", type=int)
parser.add_argument("--service", default="HTTP", help="another class than HTTP")
parser.add_argument("--raw", action="store_true", help="Kerberos tokens outside SPNEGO")
parser.add_argument("--one-way", action="store_true", help="no mutual authentication")
parser.add_argument("--binding", type=bytes.fromhex, help="application data, in hex")
args = parser.parse_args()

name = gssapi.Name(f"{args.service}@{args.host}", gssapi.NameType.hostbased_service)
flags = [] if args.one_way else [gssapi.RequirementFlag.mutual_authentication]
bindings = ChannelBindings(application_data=args.binding) if args.binding else None
for _ in range(args.count):
    context = gssapi.SecurityContext(
        name=name,
        usage="initiate",
        mech=KRB5 if args.raw else SPNEGO,
        flags=flags,
        channel_bindings=bindings,
    )
    print(base64.b64encode(context.step()).decode())
