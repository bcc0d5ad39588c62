use super::*;

fn read(namespace: &str, name: &str) -> Read<FunctionPolicy> {
    let policy = serde_json::json!({
        "apiVersion": "forewarm.dev/v1alpha1", "kind": "FunctionPolicy",
        "metadata": {"namespace": namespace, "name": name, "uid": name},
        "spec": {"targetRef": {"name": name}, "floor": {"max": 4}}
    });
    Read::Good(serde_json::from_value(policy).unwrap())
}

#[test]
fn the_text_of_a_name_is_kept_once_however_often_policies_are_listed() {
    let policies = Policies::default();
    policies.replace(vec![read("ledger", "a"), read("payments", "a")]);
    policies.put(read("payments", "b"));
    let first = policies.all();
    let keys: Vec<&FunctionKey> = first.keys().collect();
    assert_eq!(
        keys.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["ledger/a", "payments/a", "payments/b"]
    );
    assert!(Arc::ptr_eq(&keys[1].namespace, &keys[2].namespace));
    policies.replace(vec![
        read("payments", "b"),
        read("payments", "c"),
        read("payments", "a"),
    ]);
    let second = policies.all();
    let again: Vec<&FunctionKey> = second.keys().collect();
    assert_eq!(again.len(), 3, "what is gone is gone");
    assert!(Arc::ptr_eq(&keys[1].name, &again[0].name) && Arc::ptr_eq(&keys[2].name, &again[1].name));
    assert!(again.iter().all(|key| Arc::ptr_eq(&key.namespace, &again[0].namespace)));
}
