#!/usr/bin/python3
"""Fills a freshly provisioned Active Directory domain with the lab's accounts.

populate.py SMB_CONF NAMES.json, before the domain controller starts. One process
with Samba's own library: samba-tool would take most of a second for each of these.
"""

import json
import os
import sys

import ldb
import samba.dckeytab  # noqa: F401  gives Net its export_keytab
from samba.auth import system_session
from samba.credentials import Credentials
from samba.net import Net
from samba.param import LoadParm
from samba.samdb import SamDB

AES_ONLY = "24"
MANY_GROUPS = 1000


def open_directory(smb_conf):
    lp = LoadParm()
    lp.load(smb_conf)
    return lp, SamDB(url=lp.samdb_url(), session_info=system_session(), lp=lp)


def add_service(samdb, account, password, spns):
    samdb.newuser(account, password)
    dn = account_dn(samdb, account)
    change = ldb.Message(dn)
    change["spn"] = ldb.MessageElement(spns, ldb.FLAG_MOD_ADD, "servicePrincipalName")
    change["enc"] = ldb.MessageElement(
        AES_ONLY, ldb.FLAG_MOD_REPLACE, "msDS-SupportedEncryptionTypes"
    )
    samdb.modify(change)
    # The AES keys are made when the password is set, from the types allowed by then.
    samdb.setpassword(f"(sAMAccountName={account})", password)


def account_dn(samdb, account):
    found = samdb.search(
        base=samdb.domain_dn(), expression=f"(sAMAccountName={account})", attrs=[]
    )
    return found[0].dn


def add_many_groups(samdb, member):
    dn = str(account_dn(samdb, member))
    for number in range(MANY_GROUPS):
        name = f"many-{number:04}"
        samdb.add(
            {
                "dn": f"CN={name},CN=Users,{samdb.domain_dn()}",
                "objectClass": "group",
                "sAMAccountName": name,
                "member": dn,
            }
        )


def main(smb_conf, names_file):
    with open(names_file, encoding="utf-8") as f:
        names = json.load(f)
    lp, samdb = open_directory(smb_conf)

    samdb.transaction_start()
    for user, password in names["users"].items():
        samdb.newuser(user, password, givenname=user.capitalize(), surname="Lab",
                      mailaddress=f"{user}@{names['dns']}" if user.isascii() else None)
    for group, members in names["groups"].items():
        samdb.newgroup(group)
        samdb.add_remove_group_members(group, members, add_members_operation=True)
    add_many_groups(samdb, "dora")
    samdb.disable_account("(sAMAccountName=carol)")
    for account, service in names["services"].items():
        add_service(samdb, account, service["password"], service["spns"])
    samdb.transaction_commit()

    net = Net(Credentials(), lp)
    for service in names["services"].values():
        for spn in service["spns"]:
            net.export_keytab(keytab=service["keytab"], principal=spn)
        os.chmod(service["keytab"], 0o640)


if __name__ == "__main__":
    main(*sys.argv[1:])
