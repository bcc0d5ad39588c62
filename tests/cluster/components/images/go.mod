module forewarm.dev/tests/cluster/components/images

go 1.26.0
