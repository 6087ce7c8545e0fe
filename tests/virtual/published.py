"""Texts as the programs and their documentation have them.

`SPECIES`: the head and the valence shells of Elk's own species files (Elk is under the GPL; here only the lines that
are read).  `INFO`, `MOMENTS` and `ENERGIES`: what Elk 8.4.30 left of bcc Fe70Co30.  `AKAIKKR_FE` and `AKAIKKR_OUTPUT`:
the example of bcc Fe in AkaiKKR's published tutorial.
"""

from __future__ import annotations

_SHELLS = """   1   0   1   2.00000    T                 : nsp, lsp, ksp, occsp, spcore
   3   1   2   4.00000    F
   3   2   2   {lower}    F
   3   2   3   {upper}    F
   4   0   1   {outer}    F
"""


def _species(symbol: str, number: int, lower: str, upper: str, outer: str = "2.00000") -> str:
    head = f" '{symbol}'                                       : spsymb\n"
    head += f"  -{number}.0000                                  : spzn\n"
    return head + _SHELLS.format(lower=lower, upper=upper, outer=outer)


SPECIES = {
    "Cr": _species("Cr", 24, "3.00000", "2.00000", "1.00000"),
    "Mn": _species("Mn", 25, "3.00000", "2.00000"),
    "Fe": _species("Fe", 26, "4.00000", "2.00000"),
    "Co": _species("Co", 27, "4.00000", "3.00000"),
    "Ni": _species("Ni", 28, "4.00000", "4.00000"),
    "Pt": " 'Pt' : spsymb\n  -78.0000 : spzn\n   5   2   3   5.00000    F\n",
}

INFO = """
Moments :
 interstitial                :   0.3264433515E-01
 total moment                :   -2.316394372

Convergence targets achieved

+------------------------------+
| Self-consistent loop stopped |
+------------------------------+
"""
MOMENTS = "  -2.316406098    \n  -2.316394372    \n"
ENERGIES = "    -1308.312303900\n    -1308.312303920\n"

AKAIKKR_FE = """c----------------------Fe------------------------------------
c    go   file
     go   data/fe
c------------------------------------------------------------
c   brvtyp     a        c/a   b/a   alpha   beta   gamma
     bcc      5.27  ,      ,      ,      ,       ,      ,
c------------------------------------------------------------
c   edelt    ewidth    reltyp   sdftyp   magtyp   record
    0.001     1.0       nrl      mjw      mag      2nd
c------------------------------------------------------------
c   outtyp    bzqlty   maxitr   pmix
    update      4        50    0.023
c------------------------------------------------------------
c    ntyp
      1
c------------------------------------------------------------
c   type    ncmp    rmt    field   mxl  anclr   conc
    Fe       1       1      0.0     2
                                          26    100
c------------------------------------------------------------
c   natm
     1
c------------------------------------------------------------
c   atmicx                        type
     0          0          0        Fe
c------------------------------------------------------------
"""

AKAIKKR_OUTPUT = """
   itr= 46 neu=   -0.0001  moment=  2.1598  te=  -2522.81762151  err= -5.193
   itr= 47 neu=   -0.0001  moment=  2.1598  te=  -2522.81762150  err= -5.557
   itr= 48 neu=   -0.0001  moment=  2.1598  te=  -2522.81762150  err= -6.104
   interval= 48     cpu time=      0.31 sec
   sdftyp=mjw     reltyp=nrl     dmpc= 0.10000
       Fe
   itr= 48  neu -0.0001  chr,spn   8.0000   2.1598  intc,ints  1.0307 -0.0270
   rms err= -6.140 -6.104
   ef=   0.7686596   0.7779665  def=     5.0213887    17.8605662
   band energy=    4.763028241   total energy=  -2522.817621496
   magnetization=   2.3210 T
"""
