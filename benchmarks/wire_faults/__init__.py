"""What drivers make of a bad line: seeded faults on the answers of every simulated instrument.

    python -m benchmarks.wire_faults --driver mks-946 --faults 1000
    python -m benchmarks.wire_faults --all --faults 1000

Each driver of the registry talks over TCP to its registered simulator, whose world stands still and has no noise, so
that the readings of a clean line say what is right.  Each trial is one `refresh`, or one act of the role, with one
fault on one of its answers, and is

    right     it ended well, and every reading is what the clean line says (an act: what was asked for is so)
    failed    it ended in one of the classed errors, in time; on a clean line the same then ends well
    WRONG     it ended well, and a reading is not what it should be
    HANG      it took longer than the stated time
    STRANGE   another exception than a driver's own
    LOST      it failed, and after that a clean line (and a reconnection) does not bring it back

Hazards are those that the simulated lab's own witness saw meanwhile.
"""
