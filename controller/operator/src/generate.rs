//! `forewarm generate`: CRDs, RBAC, admission rails and the log schema from the code.
