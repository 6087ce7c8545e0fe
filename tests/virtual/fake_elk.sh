#!/bin/sh
# Stands for Elk where only what surrounds it is tested: fake_elk.sh BEHAVIOUR, in a folder with elk.in.
# Its moment is 2.2 plus a twentieth of what the charge of the nucleus is above 26.
task=$(sed -n 2p elk.in | tr -d ' ')
echo "task $task, threads $OMP_NUM_THREADS, nice $(nice)" >> "$FAKE_ELK_LOG"
case $1 in
crash) echo "forrtl: severe: all is lost"; exit 3 ;;
killed) kill -9 $$ ;;
alone)
  echo half-way > STATE.OUT
  exec 9>> "$FAKE_ELK_LOG.alive"
  flock 9
  exec sleep 600 ;;
hangs)
  echo half-way > STATE.OUT
  exec 9>> "$FAKE_ELK_LOG.alive"
  flock 9  # held until our child is gone too, which inherits it
  sleep 600 &
  sleep 600 ;;
esac
charge=$(sed -n 's/^ *-\([0-9.]*\) *: spzn.*/\1/p' virtual.in)
if [ "$1" = "no number" ]; then
  echo "  ******" > MOMENTM.OUT
elif [ "$1" != silent ]; then
  awk -v z="$charge" 'BEGIN { for (n = 0; n < 4; n++) printf "%16.9f\n", -(2.2 + (z - 26) / 20 + 0.1 * 0.1 ^ n) }' > MOMENTM.OUT
fi
printf ' -1272.500000\n -1272.501000\n -1272.502000\n -1272.503000\n' > TOTENERGY.OUT
if [ "$1" = unconverged ]; then end="Reached self-consistent loops maximum"; else end="Convergence targets achieved"; fi
printf 'Self-consistent loop\n\n%s\n' "$end" > INFO.OUT
